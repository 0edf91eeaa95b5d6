//! The program; its commands come once there is something to command.

fn main() {}
