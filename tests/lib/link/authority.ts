/** A certificate authority for tests, made with the `openssl` of the machine. */

/** A leaf that an authority issued. */
export interface TestAuthority {
  /** The leaf and its issuer. */
  readonly chainPem: string;
  /** The leaf alone. */
  readonly leafPem: string;
  /** The leaf's key. */
  readonly keyPem: string;
  /** The issuer (CA:TRUE). */
  readonly authorityPem: string;
  /** The issuer's key. */
  readonly authorityKeyPem: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/**
 * Makes an authority and a leaf.
 *
 * @param names Subject alternative name as openssl writes it
 * @param from An authority that issues this leaf too, as when a certificate is renewed
 */
export async function makeAuthority(names: string, from?: TestAuthority): Promise<TestAuthority> {
  const folder = await Deno.makeTempDir();
  const openssl = async (...args: string[]) => {
    const command = new Deno.Command("openssl", { args, cwd: folder, stdout: "null" });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(`Cannot run openssl: ${new TextDecoder().decode(stderr)}`);
  };
  const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
  try {
    if (from === undefined) {
      await openssl(
        ...["req", "-x509", ...NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem"],
        ...["-subj", "/CN=Test authority", "-days", "2"],
      );
    } else {
      await Deno.writeTextFile(`${folder}/ca.key`, from.authorityKeyPem);
      await Deno.writeTextFile(`${folder}/ca.pem`, from.authorityPem);
    }
    await openssl(
      ...["req", ...NEW_KEY, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf"],
    );
    await Deno.writeTextFile(
      `${folder}/ext`,
      `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`,
    );
    await openssl(
      ...["x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "leaf.pem"],
    );
    const leafPem = await read("leaf.pem");
    const authorityPem = await read("ca.pem");
    return {
      chainPem: leafPem + authorityPem,
      leafPem,
      keyPem: await read("leaf.key"),
      authorityPem,
      authorityKeyPem: await read("ca.key"),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
