"""zstd frames, by the library itself: Python 3.11 has no module of its own for it."""

import ctypes

_lib = ctypes.CDLL("libzstd.so.1")
for _name in ("ZSTD_compress", "ZSTD_decompress", "ZSTD_compressBound"):
    getattr(_lib, _name).restype = ctypes.c_size_t


def _checked(n, out):
    if _lib.ZSTD_isError(ctypes.c_size_t(n)):
        raise ValueError("no zstd frame, or of another size")
    return out.raw[:n]


def compress(data, level=3):
    room = _lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(room)
    return _checked(_lib.ZSTD_compress(out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data)), level), out)


def decompress(data, size):
    out = ctypes.create_string_buffer(size)
    return _checked(_lib.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data))), out)
