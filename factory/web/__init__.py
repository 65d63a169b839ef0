"""The page and the API of the desk: thin doors over the store, bound to this machine until there are accounts."""
