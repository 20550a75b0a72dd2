//! stub
pub struct Cpu;
impl super::Engine for Cpu { fn fuses(&self) -> bool { true } fn compile(&self, k: crate::kernel::Kernel) -> Box<dyn super::Program> { super::reference::Reference.compile(k) } }
