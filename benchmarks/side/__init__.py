"""What the gateway is compared with: programs that answer the same without looking."""
