"""The workflow service: definitions, instances, and the engine that runs them."""
