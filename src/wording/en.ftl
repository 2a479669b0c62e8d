## The chat: what is said in an error

nobody = Nobody here is known by that address.
