//! Text to speech, in a worker process that may die.
