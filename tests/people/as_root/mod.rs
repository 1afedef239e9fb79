//! What only root can set up or see: owners, mounts, other users' rights.

mod doctor;
mod keep;
mod login;
mod ordinary;
mod setup;
