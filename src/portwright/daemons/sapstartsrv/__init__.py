"""SAP start service."""
