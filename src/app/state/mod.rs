//! What is kept between runs: the state of links and of gateways, and the queue for the gateways.

pub(crate) mod gateway_queue;
pub(crate) mod gateway_state;
pub(crate) mod link_state;
pub(crate) mod record;
