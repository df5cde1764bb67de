// Ctrl-C: how a long kernel learns that its caller wants it to stop.
#pragma once

namespace fastml {

// Polled by the calling thread only, between blocks of work that last some tens of milliseconds at most. Returns true when the
// kernel must stop; the kernel then finishes its blocks, frees what it holds and reports that it was stopped.
// nullptr means that nobody will ask.
using StopCheck = bool (*)();

// Thrown by constructors that were stopped, which have no result to say so.
struct Stopped {};

}  // namespace fastml
