"""The shared library from Python, through ctypes alone: version, a context, its devices."""
import ctypes
import sys

lib = ctypes.CDLL(sys.argv[1])
lib.godwit_version.restype = ctypes.c_char_p
lib.godwit_status_name.restype = ctypes.c_char_p


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("driver_code", ctypes.c_int32),
                ("message", ctypes.c_char * 512)]


context = ctypes.c_void_p()
error = Error()
status = lib.godwit_context_create(None, ctypes.byref(context), ctypes.byref(error))
assert status == 0, error.message
n = lib.godwit_context_n_devices(context)
assert n >= 1, "the reference is always there"

device = ctypes.c_void_p()
status = lib.godwit_device_open(context, b"no such device", None, ctypes.byref(device),
                                ctypes.byref(error))
assert status != 0 and not device and error.message, "a wrong name is an error with a message"
print(f"godwit {lib.godwit_version().decode()}: {n} devices; {lib.godwit_status_name(status).decode()}: "
      f"{error.message.decode()}")
lib.godwit_context_destroy(ctypes.byref(context))
assert not context, "destroy writes NULL"
