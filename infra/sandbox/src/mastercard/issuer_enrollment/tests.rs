//! Rules of the API, called without HTTP.
