"""What runs the shop: images, server configurations, embedded servers."""
