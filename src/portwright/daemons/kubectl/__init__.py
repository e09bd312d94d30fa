"""One room: the client of Kubernetes, and the manifests that it applies."""
