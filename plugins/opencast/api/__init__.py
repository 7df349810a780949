"""The REST client: one session a server, and one module for each Opencast service that is used."""
