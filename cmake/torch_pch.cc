// Anchors the precompiled ATen header that every LibTorch target reuses.
