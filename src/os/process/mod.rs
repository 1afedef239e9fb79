//! Other programs and this one: which may be run, as whom, and for how long.

pub(crate) mod command;
pub(crate) mod current;
pub(crate) mod engine_variables;
pub(crate) mod exec_policy;
pub(crate) mod executables;
pub(crate) mod lanes;
pub(crate) mod own_files;
pub(crate) mod proc_list;
pub(crate) mod self_exec;
#[cfg(test)]
pub(crate) mod shells;
pub(crate) mod systemctl;
pub(crate) mod systemd_run;
pub(crate) mod trust;
