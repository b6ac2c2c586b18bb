"""Spin transport: the physics that turns material data into the amplitudes of torques.

``resistivity``       rho(T): linear, Bloch-Grueneisen
``spin_hall``         theta_SH from intrinsic and extrinsic mechanisms; published values
``interface``         complex spin-mixing conductance: torque efficiencies and spin pumping
"""
