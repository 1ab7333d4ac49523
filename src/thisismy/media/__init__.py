"""Media files: what they are, frames, photos and sound, clips cut from them, and small pictures of them."""
