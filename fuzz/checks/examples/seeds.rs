//! Writes the artifacts that fuzzing starts from into `fuzz/corpus/artifact`.

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/artifact");
    for (name, bytes) in modstream_fuzz_checks::seeds() {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
