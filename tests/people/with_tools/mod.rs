//! What needs programs that not every host has.

mod etcd;
