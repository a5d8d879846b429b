"""Telemetry: the events of a run as OpenTelemetry traces."""
