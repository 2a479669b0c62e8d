//! Claims what is due, runs calls, settles them.
