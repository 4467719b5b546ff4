"""Engines that run a plan. Polars is the embedded one."""
