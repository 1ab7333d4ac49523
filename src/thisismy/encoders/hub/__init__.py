"""CLIP and SigLIP models of the hub or of a folder."""
