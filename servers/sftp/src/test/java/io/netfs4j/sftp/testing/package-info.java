// SPDX-License-Identifier: Apache-2.0

/** Fixtures for tests against a real OpenSSH server; other modules take them as a test-jar. */
package io.netfs4j.sftp.testing;
