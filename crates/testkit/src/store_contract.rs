//! What every store does, one function a behaviour. A store's tests call each with a fresh store; a function panics where the
//! store behaves otherwise.
