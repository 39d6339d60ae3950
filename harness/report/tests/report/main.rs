//! The report against a run made by code: goldens, structure of the page, every verdict of the gate.

mod fixture;
mod gate;
mod golden;
mod page;
