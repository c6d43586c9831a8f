"""Throwaway MariaDB clusters, MongoDB replica sets and Tillway processes for tests and the demo.

Everything lives in one scratch folder per Python process and dies with that process, however it ends
(see scratch.py).
"""
