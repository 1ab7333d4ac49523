"""What a user does with a library, one service for each kind of thing."""
