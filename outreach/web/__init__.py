"""The desk's door to the web: for the public, its feeds and its short links."""
