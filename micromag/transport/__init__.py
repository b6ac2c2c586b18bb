"""Spin transport: the physics that turns material data into the amplitudes of torques.

``resistivity``       rho(T): linear, Bloch-Grueneisen
``spin_hall``         theta_SH from intrinsic and extrinsic mechanisms; published values
``interface``         complex spin-mixing conductance: torque efficiencies and spin pumping
``charge_current``    the current in a conductor of any shape: div(sigma grad phi) = 0
``conductors``        what the diffusion of spins needs of every cell and face
"""
