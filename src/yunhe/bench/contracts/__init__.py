"""The contracts of the workloads, deployed from their source as any other."""
