// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.testing;

import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.apache.sshd.server.subsystem.SubsystemFactory;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An SSH server that lets everybody in and whose SFTP answers are written by the test, byte by
 * byte, so that they can be wrong.
 */
public final class ScriptedSftpServer implements AutoCloseable {
    /** What the server answers. */
    public interface Script {
        /**
         * @return bytes to send, with their length; null for none
         */
        byte[] answer(int type, int id, byte[] body) throws IOException;
    }

    private final SshServer server;
    private final AtomicInteger sessions = new AtomicInteger();

    private ScriptedSftpServer(SshServer server) {
        this.server = server;
    }

    public static ScriptedSftpServer start(Script script)
            throws IOException, GeneralSecurityException {
        SshServer server = SshServer.setUpDefaultServer();
        ScriptedSftpServer scripted = new ScriptedSftpServer(server);
        server.setHost("127.0.0.1");
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        server.setKeyPairProvider(KeyPairProvider.wrap(generator.generateKeyPair()));
        server.setPublickeyAuthenticator((user, key, session) -> true);
        server.setSubsystemFactories(
                List.of(
                        new SubsystemFactory() {
                            @Override
                            public String getName() {
                                return "sftp";
                            }

                            @Override
                            public Command createSubsystem(ChannelSession channel) {
                                scripted.sessions.incrementAndGet();
                                return new Session(script);
                            }
                        }));
        server.start();
        return scripted;
    }

    public int port() {
        return server.getPort();
    }

    /** How often a client has come. */
    public int sessions() {
        return sessions.get();
    }

    /** A whole packet. */
    public static byte[] packet(int type, int id, byte[] body) {
        return ByteBuffer.allocate(9 + body.length)
                .putInt(5 + body.length)
                .put((byte) type)
                .putInt(id)
                .put(body)
                .array();
    }

    @Override
    public void close() throws IOException {
        server.stop(true);
    }

    private static final class Session implements Command {
        private final Script script;
        private InputStream in;
        private OutputStream out;

        Session(Script script) {
            this.script = script;
        }

        @Override
        public void setInputStream(InputStream stream) {
            in = stream;
        }

        @Override
        public void setOutputStream(OutputStream stream) {
            out = stream;
        }

        @Override
        public void setErrorStream(OutputStream stream) {
            // Nothing is said there.
        }

        @Override
        public void setExitCallback(ExitCallback callback) {
            // It ends with its channel.
        }

        @Override
        public void start(ChannelSession channel, Environment environment) {
            Thread thread = new Thread(this::serve, "scripted-sftp");
            thread.setDaemon(true);
            thread.start();
        }

        private void serve() {
            try (DataInputStream data = new DataInputStream(in)) {
                while (true) {
                    int length = data.readInt();
                    int type = data.readUnsignedByte();
                    int id = data.readInt();
                    byte[] answer = script.answer(type, id, data.readNBytes(length - 5));
                    if (answer != null) {
                        out.write(answer);
                        out.flush();
                    }
                }
            } catch (IOException e) {
                // The client has gone.
            }
        }

        @Override
        public void destroy(ChannelSession channel) {
            // The thread ends with its stream.
        }
    }
}
