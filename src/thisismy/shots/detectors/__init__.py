"""Shot detectors behind one interface."""
