"""Tempered sequential Monte Carlo: a posterior without compilation, by many chains that answer for one another.

Every latent is a function of a standard normal: a judged quantity is the quantile of its pool at Phi(z), innovations
and spreads are z themselves. With l(z) the log likelihood of the decisions (and of measured proxies), the posterior is

    pi(z) ~ N(z; 0, I) exp l(z)

Latents that share no decision are independent under it, so it is sampled component by component (mostly: state by
state), each accepted by itself. Particles come from a Gaussian q fitted at the mode and are led along

    pi_t(z) ~ q(z)^(1 - t) pi(z)^t,   t from 0 to 1

with t chosen so that half of the particles stay effective (Del Moral, Doucet and Jasra, "Sequential Monte Carlo
samplers", JRSS B 68, 2006), and every state that a chain passes through is kept as a particle (Dau and Chopin,
"Waste-free sequential Monte Carlo", JRSS B 84, 2022). Moves are preconditioned Crank-Nicolson steps about a Gaussian
with the particles' moments (Cotter, Roberts, Stuart and White, "MCMC methods for functions", Statistical Science 28,
2013),

    z' = place(sqrt(1 - b^2) xi + b e),   z = place(xi),   e ~ N(0, I)

and the evidence is bridged between that Gaussian and the posterior (Meng and Wong, Statistica Sinica 6, 1996).
"""

from __future__ import annotations

from bayes_compliance.inference.smc.engine import sample

__all__ = ["sample"]
