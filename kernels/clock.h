// What the device knows about each replica, and where its arrays lie.
#pragma once

// One row of doubles per replica; read and written by name in micromag/integrators/clock.py, which
// reads the names from here.
enum ClockColumn {
  CLOCK_STATUS,     // one of the states below
  CLOCK_PARITY,     // which of the two buffers is the current one
  CLOCK_T,          // time [s]
  CLOCK_DT,         // step being tried [s]
  CLOCK_FREE_DT,    // step the error control would take if no output were near [s]
  CLOCK_T_STOP,     // next time at which the replica has to stop [s]
  CLOCK_MAX_ERROR,  // allowed error of m in one step
  CLOCK_MIN_DT,     // below this the step has collapsed [s]
  CLOCK_MAX_DT,     // longest step [s]
  CLOCK_STEPS,      // accepted steps
  CLOCK_REJECTED,   // rejected steps
  CLOCK_ERROR,      // error of the last attempt
  CLOCK_RELAX,      // 1: no precession, for relaxation
  CLOCK_RETRY,      // attempts made of this step
  CLOCK_STEP_SIZE,  // minimiser: step [1/T]
  CLOCK_TORQUE,     // minimiser: largest |m x B| [T]
  CLOCK_MAX_TORQUE, // minimiser: stop below this [T]
  CLOCK_OFF_CENTRE, // moving window: displacement of the texture, in whole cells
  CLOCK_NOISE_STEP, // number of the noise that acts: the steps accepted before it
  CLOCK_NOISE_DT,   // how long it acts in all [s]
  CLOCK_NOISE_END,  // until when [s]
  CLOCK_COLUMNS
};

// OFF_CENTRE: waits for its window to move. FAILED_LOST: there is nothing left for it to follow.
// FAILED_FIELD: a field that is solved for between the stages did not converge.
enum Status { RUNNING, WAITING, FAILED_NAN, FAILED_STEP, IDLE, OFF_CENTRE, FAILED_LOST, FAILED_FIELD };

// Arrays of the state are slots of one work array: [slot][replica][component][cell]. The first four
// are two pairs of which parity says which is which, so that accepting a step moves no data.
enum Slot { CURRENT, NEXT, K_FIRST, K_LAST, SLOT_FREE };

INLINE int physical_slot(int slot, int parity) {
  return slot < SLOT_FREE ? (slot & 2) + ((slot & 1) ^ parity) : slot;
}

INLINE long slot_offset(int slot, int parity, int rep, int nrep, long n) {
  return ((long)physical_slot(slot, parity) * nrep + rep) * 3 * n;
}
