"""The harvest: OAI-PMH repositories into a catalogue of records, series, tracks, media items and playlists."""
