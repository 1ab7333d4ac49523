"""Long work in stages: indexing and transcribing, resumable at any moment."""
