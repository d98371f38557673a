"""Photos at rest: sealed by a key per owner, in a folder or an S3-compatible store, in step with their rows."""
