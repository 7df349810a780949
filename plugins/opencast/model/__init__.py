"""Opencast's objects: parse them strictly, compare them canonically, write them as Opencast writes them. Pure."""
