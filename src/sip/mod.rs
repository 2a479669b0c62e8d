//! Our SIP user agent: pure machines, one file per RFC role; `transport` alone touches sockets.
