// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import org.apache.sshd.agent.SshAgent;
import org.apache.sshd.agent.SshAgentKeyConstraint;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.session.SessionContext;
import org.apache.sshd.common.util.buffer.BufferException;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Lists and uses the keys of an ssh-agent over its Unix socket. Adds and removes none.
 *
 * <p><b>Threads</b>: one session's; a signature may wait for the agent's user.
 *
 * <p><b>Source</b>: draft-miller-ssh-agent, sections 3.5, 3.6.
 */
final class AgentClient implements SshAgent {
    private static final int REQUEST_IDENTITIES = 11;
    private static final int IDENTITIES_ANSWER = 12;
    private static final int SIGN_REQUEST = 13;
    private static final int SIGN_RESPONSE = 14;
    private static final int FLAG_RSA_SHA2_256 = 2;
    private static final int FLAG_RSA_SHA2_512 = 4;

    /** As OpenSSH's own limit. */
    private static final int MESSAGE_BYTES_MAX = 256 * 1024;

    private static final int KEYS_MAX = 2048;

    private final SocketChannel socket;
    private final Predicate<PublicKey> wanted;

    /**
     * @param wanted which of the agent's keys are offered to the server
     */
    AgentClient(Path path, Predicate<PublicKey> wanted) throws IOException {
        this.socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
        this.wanted = wanted;
    }

    @Override
    public Iterable<? extends Map.Entry<PublicKey, String>> getIdentities() throws IOException {
        ByteArrayBuffer request = new ByteArrayBuffer();
        request.putByte((byte) REQUEST_IDENTITIES);
        try {
            ByteArrayBuffer answer = ask(request, IDENTITIES_ANSWER);
            long count = answer.getUInt();
            if (count > KEYS_MAX) {
                throw new IOException("the agent lists " + count + " keys");
            }
            List<Map.Entry<PublicKey, String>> keys = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                PublicKey key = parsed(answer.getBytes());
                String comment = answer.getString();
                if (key != null && wanted.test(key)) {
                    keys.add(Map.entry(key, comment));
                }
            }
            return keys;
        } catch (BufferException e) {
            throw new IOException("the agent's answer cannot be understood", e);
        }
    }

    /** Null for a kind of key that this JVM does not know, such as a hardware key. */
    private static @Nullable PublicKey parsed(byte[] blob) {
        try {
            return new ByteArrayBuffer(blob).getRawPublicKey();
        } catch (Exception e) {
            return null;
        }
    }

    @Override
    public Map.Entry<String, byte[]> sign(
            SessionContext session, PublicKey key, String algorithm, byte[] data)
            throws IOException {
        ByteArrayBuffer request = new ByteArrayBuffer();
        request.putByte((byte) SIGN_REQUEST);
        request.putPublicKey(key);
        request.putBytes(data);
        String asked = algorithm == null ? KeyUtils.getKeyType(key) : algorithm;
        request.putInt(
                switch (asked) {
                    case "rsa-sha2-256" -> FLAG_RSA_SHA2_256;
                    case "rsa-sha2-512" -> FLAG_RSA_SHA2_512;
                    default -> 0;
                });
        try {
            ByteArrayBuffer signature = new ByteArrayBuffer(ask(request, SIGN_RESPONSE).getBytes());
            return Map.entry(signature.getString(), signature.getBytes());
        } catch (BufferException e) {
            throw new IOException("the agent's answer cannot be understood", e);
        }
    }

    private ByteArrayBuffer ask(ByteArrayBuffer request, int expected) throws IOException {
        byte[] body = request.getCompactData();
        ByteBuffer out = ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body).flip();
        while (out.hasRemaining()) {
            socket.write(out);
        }
        int length = fill(ByteBuffer.allocate(4)).getInt();
        if (length < 1 || length > MESSAGE_BYTES_MAX) {
            throw new IOException("the agent's answer has " + length + " bytes");
        }
        ByteArrayBuffer answer = new ByteArrayBuffer(fill(ByteBuffer.allocate(length)).array());
        int type = answer.getUByte();
        if (type != expected) {
            throw new IOException("the agent refused (answer " + type + ")");
        }
        return answer;
    }

    private ByteBuffer fill(ByteBuffer in) throws IOException {
        while (in.hasRemaining()) {
            if (socket.read(in) < 0) {
                throw new EOFException("the agent closed the connection");
            }
        }
        return in.flip();
    }

    @Override
    public void addIdentity(KeyPair key, String comment, SshAgentKeyConstraint... constraints)
            throws IOException {
        throw new IOException("keys are not handed to an agent from here");
    }

    @Override
    public void removeIdentity(PublicKey key) throws IOException {
        throw new IOException("keys are not taken from an agent from here");
    }

    @Override
    public void removeAllIdentities() throws IOException {
        throw new IOException("keys are not taken from an agent from here");
    }

    @Override
    public boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
