"""The tests of native code on processors that this machine is not, by an emulator."""
