"""Every recorded request, sent to a simulator, and its answer compared with the recorded one."""
