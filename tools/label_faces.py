"""Face-mesh landmarks for training photos, as `comedo train face-map` wants them.

Run it once, in an environment of its own, since this version of MediaPipe wants an older NumPy:

    python3 -m venv /tmp/mesh && /tmp/mesh/bin/pip install mediapipe==0.10.21
    /tmp/mesh/bin/python tools/label_faces.py DATA DATA/landmarks.npz

It writes one array per photo, (478, 3) float32 x, y, z in pixels of the photo (z grows away from the
camera), named by the photo's path below DATA; an empty array where no face was found.
"""

import argparse
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np

FOLDERS = ("faces", "typed/images", "acne04", "lesion_masks/images")
PICTURES = {".jpg", ".jpeg", ".png"}
PADS = (0.0, 0.3, 0.6)  # a border helps with faces that fill the frame
LONGEST, SHORTEST = 1000, 512


def find_mesh(mesh, image):
    """Landmarks of the face in (H, W, 3) uint8 RGB, (478, 3) float32 in its pixels, or (0, 3)."""
    for pad in PADS:
        border = int(pad * max(image.shape[:2]))
        padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_CONSTANT)
        side = max(padded.shape[:2])
        zoom = LONGEST / side if side > LONGEST else max(1.0, SHORTEST / side)
        padded = cv2.resize(
            padded, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        )
        found = mesh.process(np.ascontiguousarray(padded)).multi_face_landmarks
        if found:
            height, width = padded.shape[:2]
            points = np.array([[p.x * width, p.y * height, p.z * width] for p in found[0].landmark], np.float32)
            return points / zoom - np.array([border, border, 0], np.float32)
    return np.zeros((0, 3), np.float32)


def main():
    """Label every picture below the data folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder that holds " + ", ".join(FOLDERS))
    parser.add_argument("out", type=Path, help="the .npz file to write")
    args = parser.parse_args()
    photos = sorted(
        p
        for f in FOLDERS
        for p in (args.data / f).rglob("*")
        if p.suffix.lower() in PICTURES and "masks" not in p.parts
    )
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.5)
    landmarks = {}
    for number, path in enumerate(photos, start=1):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        landmarks[path.relative_to(args.data).as_posix()] = find_mesh(mesh, image)
        if number % 200 == 0:
            print(f"{number} of {len(photos)}", flush=True)
    np.savez(args.out, **landmarks)
    print(f"{sum(len(p) > 0 for p in landmarks.values())} faces in {len(photos)} photos")


if __name__ == "__main__":
    main()
