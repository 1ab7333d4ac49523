"""Media files: what they are, their frames, photos and sound, clips cut from them, and small pictures of them."""
