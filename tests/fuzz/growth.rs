//! What one call, one binding and one stream hold after all that a far end can say to them.
