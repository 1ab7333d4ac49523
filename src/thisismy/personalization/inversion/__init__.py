"""Predicting words from pictures: what PALAVRA and pi-map train once for an encoder."""
