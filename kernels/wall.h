// What the host says about the wall that is followed in a replica; micromag/observables/_walls.py
// writes it in this order.
#pragma once

enum WallSpec {
  WALL_LOW,        // the cells low <= x <= high hold the wall
  WALL_HIGH,       // below low where there is none
  WALL_COMPONENT,  // component of m that changes sign
  WALL_LEFT,       // its value in the two domains
  WALL_RIGHT,
  WALL_SPEC
};
