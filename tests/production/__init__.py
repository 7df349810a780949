"""The production set-up: docker-compose.yaml, its image, and the same services without Docker."""
