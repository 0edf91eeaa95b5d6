//! The tests through the doors come once there are doors.
